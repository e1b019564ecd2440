import { MOODS, type Mood, type Session } from './session';

export interface Summary {
  count: number;
  minutes: number;
  /** Undefined when there is no session; the first in `MOODS` when several are as common. */
  commonestMood: Mood | undefined;
}

/** Adds up a list of sessions. */
export function summarise(sessions: readonly Pick<Session, 'minutes' | 'mood'>[]): Summary {
  const count = (mood: Mood) => sessions.filter((session) => session.mood === mood).length;
  const [commonest] = MOODS.toSorted((a, b) => count(b) - count(a));
  return {
    count: sessions.length,
    minutes: sessions.reduce((total, session) => total + session.minutes, 0),
    commonestMood: sessions.length > 0 ? commonest : undefined,
  };
}
