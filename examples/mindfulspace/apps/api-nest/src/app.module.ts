import { Module } from '@nestjs/common';
import { BreathController } from './breath/breath.controller';
import { HealthController } from './health/health.controller';
import { PrismaService } from './prisma/prisma.service';
import { SessionsController } from './sessions/sessions.controller';
import { SessionsService } from './sessions/sessions.service';

@Module({
  controllers: [BreathController, HealthController, SessionsController],
  providers: [PrismaService, SessionsService],
})
export class AppModule {}
