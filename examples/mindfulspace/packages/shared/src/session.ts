/** How someone felt after a session. The API stores one of these; the front end offers them all. */
export const MOODS = ['calm', 'content', 'restless', 'tired'] as const;
export type Mood = (typeof MOODS)[number];

/** In characters, counted after `normaliseTitle`. */
export const TITLE_MAX_LENGTH = 80;
export const MINUTES_MIN = 1;
export const MINUTES_MAX = 240;

/** A session as the API answers it. */
export interface Session {
  id: number;
  title: string;
  minutes: number;
  mood: Mood;
  /** ISO 8601, UTC. */
  createdAt: string;
}

/** What the API takes to create a session. */
export type NewSession = Pick<Session, 'title' | 'minutes' | 'mood'>;

/** The title as it is stored: no space at either end, single spaces between words. */
export function normaliseTitle(title: string): string {
  return title.trim().replace(/\s+/g, ' ');
}
