import type { Database } from '../database.js';
import { type Attempt, recordDeliveries, type Settlement, type TakenOff } from '../delivery.js';

/** Only takes off. */
export async function takeOff(db: Database, attempts: readonly Attempt[]): Promise<TakenOff> {
  return (await recordDeliveries(db, [], attempts)).takenOff;
}

/** Only records answers. @returns how many were recorded */
export async function settle(db: Database, settlements: readonly Settlement[]): Promise<number> {
  return (await recordDeliveries(db, settlements, [])).settled;
}
