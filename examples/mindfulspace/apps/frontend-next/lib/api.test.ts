import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { apiUrl, createSession, listSessions } from './api';

const fetcher = vi.fn<typeof fetch>();

beforeEach(() => {
  vi.stubEnv('NEXT_PUBLIC_API_URL', 'https://api.test/');
  vi.stubGlobal('fetch', fetcher);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  fetcher.mockReset();
});

describe('apiUrl', () => {
  it('drops a slash at the end of the configured address', () => {
    expect(apiUrl()).toBe('https://api.test');
  });

  it('falls back to the local API when none is configured', () => {
    vi.stubEnv('NEXT_PUBLIC_API_URL', '');
    expect(apiUrl()).toBe('http://localhost:3001');
  });
});

describe('the API client', () => {
  it('asks the configured address for the sessions', async () => {
    fetcher.mockResolvedValue(Response.json([]));
    expect(await listSessions()).toEqual([]);
    expect(fetcher.mock.calls[0]?.[0]).toBe('https://api.test/sessions');
  });

  it('posts a new session as JSON', async () => {
    const session = { title: 'Breath', minutes: 5, mood: 'calm' as const };
    fetcher.mockResolvedValue(Response.json({ id: 1, ...session }, { status: 201 }));
    await createSession(session);
    const init = fetcher.mock.calls[0]?.[1];
    expect(init?.method).toBe('POST');
    expect(JSON.parse(String(init?.body))).toEqual(session);
  });

  it("passes on the API's reasons for a refusal", async () => {
    fetcher.mockResolvedValue(
      Response.json({ message: ['too long', 'too late'] }, { status: 400 }),
    );
    await expect(listSessions()).rejects.toThrow('too long, too late');
  });

  it('gives the status when the refusal has no reason', async () => {
    fetcher.mockResolvedValue(new Response('<html>', { status: 502 }));
    await expect(listSessions()).rejects.toThrow('The API answered 502.');
  });

  it('says so when the API cannot be reached', async () => {
    fetcher.mockRejectedValue(new TypeError('fetch failed'));
    await expect(listSessions()).rejects.toThrow('The API cannot be reached.');
  });
});
