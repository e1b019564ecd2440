import type { Session } from '@mindfulspace/shared';
import { Body, Controller, Get, Post } from '@nestjs/common';
import { CreateSessionDto } from './create-session.dto';
import { SessionsService } from './sessions.service';

@Controller('sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Get()
  list(): Promise<Session[]> {
    return this.sessions.list();
  }

  @Post()
  create(@Body() session: CreateSessionDto): Promise<Session> {
    return this.sessions.create(session);
  }
}
