import {
  MINUTES_MAX,
  MINUTES_MIN,
  MOODS,
  type Mood,
  type NewSession,
  normaliseTitle,
  TITLE_MAX_LENGTH,
} from '@mindfulspace/shared';
import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsString, Length, Max, Min } from 'class-validator';

export class CreateSessionDto implements NewSession {
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? normaliseTitle(value) : value,
  )
  @IsString()
  @Length(1, TITLE_MAX_LENGTH)
  title!: string;

  @IsInt()
  @Min(MINUTES_MIN)
  @Max(MINUTES_MAX)
  minutes!: number;

  @IsIn(MOODS)
  mood!: Mood;
}
