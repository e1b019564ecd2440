import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { CreateSessionDto } from './create-session.dto';

const valid = { title: ' Body  scan ', minutes: 20, mood: 'calm' };
const wrongFields = (input: object) =>
  validateSync(plainToInstance(CreateSessionDto, input)).map((error) => error.property);

describe('CreateSessionDto', () => {
  it('accepts a session and tidies its title', () => {
    expect(wrongFields(valid)).toEqual([]);
    expect(plainToInstance(CreateSessionDto, valid).title).toBe('Body scan');
  });

  it.each([
    ['title', { title: '   ' }],
    ['title', { title: 'x'.repeat(81) }],
    ['title', { title: 7 }],
    ['minutes', { minutes: 0 }],
    ['minutes', { minutes: 241 }],
    ['minutes', { minutes: '20' }],
    ['mood', { mood: 'furious' }],
  ])('refuses a wrong %s: %j', (field, change) => {
    expect(wrongFields({ ...valid, ...change })).toEqual([field]);
  });
});
