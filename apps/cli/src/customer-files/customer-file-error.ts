/** A fault in a file that a person edits: which file, where in it, what is wrong, what to do. */
export interface FileProblem {
  file: string;
  /** Where in the JSON (`masterList.fields[2].type`), or `line:column` in a template. Empty: the file as a whole. */
  path: string;
  message: string;
  remedy: string;
}

/** All faults of a customer's files at once. */
export class CustomerFileError extends Error {
  override name = 'CustomerFileError';
  constructor(readonly problems: readonly [FileProblem, ...FileProblem[]]) {
    super(problems.map(describeProblem).join('\n'));
  }
}

/** One line: `file: path: what is wrong. What to do.` */
export function describeProblem({ file, path, message, remedy }: FileProblem): string {
  return `${[file, path].filter((part) => part !== '').join(': ')}: ${message} ${remedy}`;
}

/** Throws when there is anything to throw. */
export function throwProblems(problems: readonly FileProblem[]): void {
  const [first, ...rest] = problems;
  if (first) throw new CustomerFileError([first, ...rest]);
}
