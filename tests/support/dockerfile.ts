/** One instruction of a Dockerfile: its name in capitals, and the rest of it on one line. */
export interface Instruction {
  name: string;
  text: string;
}

/** Reads a Dockerfile: comments left out, continued lines joined. Heredocs are not understood. */
export function parseDockerfile(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
  return lines
    .join('\n')
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^\s*(\w+)\s+(.*)$/.exec(line) ?? [];
      if (name === '') throw new Error(`not an instruction: ${line}`);
      return { name: name.toUpperCase(), text: rest.trim() };
    });
}

/** The last instruction of that name in the last stage: what an image built from it has. */
export function finalInstruction(instructions: readonly Instruction[], name: string): string | undefined {
  const stage = instructions.findLastIndex((instruction) => instruction.name === 'FROM');
  return instructions.slice(stage).findLast((instruction) => instruction.name === name)?.text;
}
