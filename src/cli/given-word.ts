import { InvalidArgumentError } from 'commander';

/** Refuses the empty word that an unset variable of a shell leaves: as a path it would be the current directory. */
export function givenWord(expected: string): (text: string) => string {
  return (text) => {
    if (text === '') throw new InvalidArgumentError(`Expected ${expected}, got an empty word.`);
    return text;
  };
}
