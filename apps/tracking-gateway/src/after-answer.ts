import { killPoint } from '@postloop/service-kit';

/** For the fault tests: whoever was answered must find the event recorded, whatever happens from here on. */
export async function afterAnswer(): Promise<void> {
  killPoint('gateway.after-answer');
}
