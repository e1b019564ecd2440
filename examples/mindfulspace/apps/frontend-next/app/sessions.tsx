'use client';

import { type NewSession, type Session, summarise } from '@mindfulspace/shared';
import { useEffect, useState } from 'react';
import { createSession, listSessions } from '@/lib/api';
import { NewSessionForm } from './new-session-form';

export function Sessions() {
  const [sessions, setSessions] = useState<Session[]>();
  const [problem, setProblem] = useState<string>();

  useEffect(() => {
    listSessions().then(setSessions, (error: Error) => setProblem(error.message));
  }, []);

  async function add(session: NewSession): Promise<boolean> {
    try {
      await createSession(session);
      setSessions(await listSessions());
      setProblem(undefined);
      return true;
    } catch (error) {
      setProblem((error as Error).message);
      return false;
    }
  }

  return (
    <>
      <NewSessionForm onSubmit={add} />
      {problem && <p role="alert">{problem}</p>}
      {sessions ? (
        <SessionList sessions={sessions} />
      ) : (
        !problem && <p aria-busy="true">Loading…</p>
      )}
    </>
  );
}

function SessionList({ sessions }: { sessions: Session[] }) {
  const { count, minutes, commonestMood } = summarise(sessions);
  if (count === 0) return <p>No session yet. Begin with one minute.</p>;
  return (
    <section aria-label="Sessions">
      <p>
        Sessions: {count} · minutes: {minutes} · mostly {commonestMood}
      </p>
      <ul>
        {sessions.map((session) => (
          <li key={session.id}>
            <strong>{session.title}</strong>
            <span>
              {session.minutes} min · {session.mood}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
