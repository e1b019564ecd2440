import { Logger, ServiceUnavailableException } from '@nestjs/common';
import type { PrismaService } from '../prisma/prisma.service';
import { HealthController } from './health.controller';

describe('HealthController', () => {
  const query = jest.fn();
  const controller = new HealthController({ $queryRaw: query } as unknown as PrismaService);

  it('is ok when the database answers', async () => {
    query.mockResolvedValue([{ '?column?': 1 }]);
    await expect(controller.check()).resolves.toEqual({ status: 'ok' });
  });

  it('answers 503 and logs why when the database does not', async () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    query.mockRejectedValue(new Error('connection refused'));
    await expect(controller.check()).rejects.toBeInstanceOf(ServiceUnavailableException);
    expect(log).toHaveBeenCalledWith(expect.stringContaining('connection refused'));
  });
});
