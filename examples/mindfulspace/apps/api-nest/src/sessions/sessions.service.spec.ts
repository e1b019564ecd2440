import type { PrismaService } from '../prisma/prisma.service';
import { SessionsService } from './sessions.service';

describe('SessionsService', () => {
  const session = { findMany: jest.fn(), create: jest.fn() };
  const service = new SessionsService({ session } as unknown as PrismaService);
  const row = { id: 1, title: 'Breath', minutes: 5, mood: 'calm', createdAt: new Date(0) };

  it('answers dates as ISO 8601 text', async () => {
    session.findMany.mockResolvedValue([row]);
    expect(await service.list()).toEqual([{ ...row, createdAt: '1970-01-01T00:00:00.000Z' }]);
  });

  it('stores the three fields of a new session and no others', async () => {
    session.create.mockResolvedValue(row);
    const input = { title: 'Breath', minutes: 5, mood: 'calm' as const, id: 99 };
    await service.create(input);
    expect(session.create).toHaveBeenCalledWith({
      data: { title: 'Breath', minutes: 5, mood: 'calm' },
    });
  });
});
