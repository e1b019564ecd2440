import { Type } from 'class-transformer';
import { IsNumber, Max, Min } from 'class-validator';

/** No breath is shorter or longer, in seconds. */
export const BREATH_MIN = 0.1;
export const BREATH_MAX = 10;

export class BreathDto {
  @Type(() => Number)
  @IsNumber()
  @Min(BREATH_MIN)
  @Max(BREATH_MAX)
  seconds: number = 4;
}
