import { describe, expect, it } from 'vitest';
import { normaliseTitle } from './session';

describe('normaliseTitle', () => {
  it('drops the space around a title and doubled space inside it', () => {
    expect(normaliseTitle('  Morning \t breath\n')).toBe('Morning breath');
  });

  it('leaves a blank title empty, for the length check to refuse', () => {
    expect(normaliseTitle(' \n ')).toBe('');
  });
});
