import { expect, it } from 'vitest';
import { sessionFromForm } from './session-form';

it('turns the form into what the API takes', () => {
  const form = new FormData();
  form.set('title', '  Body   scan ');
  form.set('minutes', '20');
  form.set('mood', 'calm');
  expect(sessionFromForm(form)).toEqual({ title: 'Body scan', minutes: 20, mood: 'calm' });
});
