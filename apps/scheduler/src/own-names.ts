/** The name that a file of ours has or was to get: `.NAME.part` is an upload of NAME that broke off. */
export const publishedName = (name: string): string => /^\.(.+)\.part$/.exec(name)?.[1] ?? name;

/** `YYYYMMDD_postloop.log` */
export const isDayLog = (name: string): boolean => /^\d{8}_postloop\.log$/.test(name);

/** The upload that a file in `logs/` tells of; undefined when it tells of none. */
export const uploadOfLog = (name: string): string | undefined =>
  /^(.+?)(?:\.log|\.error\.csv|\.error\.json)$/.exec(name)?.[1];
