import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { BreathController } from './breath.controller';
import { BreathDto } from './breath.dto';

const wrongFields = (query: object) =>
  validateSync(plainToInstance(BreathDto, query)).map((error) => error.property);

describe('BreathController', () => {
  it('answers when the breath is over', async () => {
    const began = performance.now();
    await expect(new BreathController().breathe({ seconds: 0.05 })).resolves.toEqual({
      seconds: 0.05,
    });
    // A timer may fire a millisecond early.
    expect(performance.now() - began).toBeGreaterThan(48);
  });
});

describe('BreathDto', () => {
  it('reads the seconds of a query, four if it says nothing', () => {
    expect(plainToInstance(BreathDto, { seconds: '2' }).seconds).toBe(2);
    expect(plainToInstance(BreathDto, {}).seconds).toBe(4);
  });

  it.each(['0', '11', '-1', 'long', ''])('refuses %j seconds', (seconds) => {
    expect(wrongFields({ seconds })).toEqual(['seconds']);
  });
});
