import { describe, expect, it } from 'vitest';
import { summarise } from './summary';

describe('summarise', () => {
  it('adds up the minutes and names the commonest mood', () => {
    const sessions = [
      { minutes: 10, mood: 'tired' },
      { minutes: 20, mood: 'calm' },
      { minutes: 5, mood: 'tired' },
    ] as const;
    expect(summarise(sessions)).toEqual({ count: 3, minutes: 35, commonestMood: 'tired' });
  });

  it('has no commonest mood for an empty list', () => {
    expect(summarise([])).toEqual({ count: 0, minutes: 0, commonestMood: undefined });
  });
});
