import { type Mood, type NewSession, normaliseTitle } from '@mindfulspace/shared';

/** Reads the fields title, minutes and mood. The API has the last word on their values. */
export function sessionFromForm(form: FormData): NewSession {
  return {
    title: normaliseTitle(String(form.get('title') ?? '')),
    minutes: Number(form.get('minutes')),
    mood: form.get('mood') as Mood,
  };
}
