import type { NewSession, Session } from '@mindfulspace/shared';

/** Where the browser finds the API, with no slash at its end. Fixed when the front end is built. */
export function apiUrl(): string {
  return (process.env.NEXT_PUBLIC_API_URL || 'http://localhost:3001').replace(/\/+$/, '');
}

/** Throws an Error with text for the reader when the API refuses or cannot be reached. */
async function call<Answer>(path: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(apiUrl() + path, { cache: 'no-store', ...init }).catch(() => {
    throw new Error('The API cannot be reached.');
  });
  if (!response.ok) throw new Error(await problem(response));
  return (await response.json()) as Answer;
}

async function problem(response: Response): Promise<string> {
  const body = (await response.json().catch(() => ({}))) as { message?: string | string[] };
  return [body.message ?? `The API answered ${response.status}.`].flat().join(', ');
}

export const listSessions = (): Promise<Session[]> => call('/sessions');

export const createSession = (session: NewSession): Promise<Session> =>
  call('/sessions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(session),
  });
