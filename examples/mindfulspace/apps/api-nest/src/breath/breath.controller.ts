import { setTimeout } from 'node:timers/promises';
import { Controller, Get, Query } from '@nestjs/common';
import { BreathDto } from './breath.dto';

@Controller('breath')
export class BreathController {
  /** A guided breath: answers when it is over. */
  @Get()
  async breathe(@Query() { seconds }: BreathDto): Promise<{ seconds: number }> {
    await setTimeout(seconds * 1000);
    return { seconds };
  }
}
