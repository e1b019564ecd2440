import {
  MINUTES_MAX,
  MINUTES_MIN,
  MOODS,
  type NewSession,
  TITLE_MAX_LENGTH,
} from '@mindfulspace/shared';
import type { SubmitEvent } from 'react';
import { sessionFromForm } from '@/lib/session-form';

/** Empties itself when `onSubmit` says that the session was taken. */
export function NewSessionForm({
  onSubmit,
}: {
  onSubmit: (session: NewSession) => Promise<boolean>;
}) {
  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    if (await onSubmit(sessionFromForm(new FormData(form)))) form.reset();
  }

  return (
    <form onSubmit={submit}>
      <label>
        What did you practise?
        <input name="title" required maxLength={TITLE_MAX_LENGTH} placeholder="Morning breath" />
      </label>
      <label>
        Minutes
        <input
          name="minutes"
          type="number"
          required
          min={MINUTES_MIN}
          max={MINUTES_MAX}
          defaultValue={10}
        />
      </label>
      <label>
        Mood
        <select name="mood">
          {MOODS.map((mood) => (
            <option key={mood}>{mood}</option>
          ))}
        </select>
      </label>
      <button>Add</button>
    </form>
  );
}
