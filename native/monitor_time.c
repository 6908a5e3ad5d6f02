/* Times in the log. */
#include "monitor_parts.h"

#include <stdio.h>

/* Formats like 2026-11-26T20:00:00.123456789Z. The date comes from days in eras of 400 years that start on 1 March. */
void format_time(char text[TIME_SIZE], const struct timespec *time)
{
	int64_t days = time->tv_sec / 86400 + 719468, seconds = time->tv_sec % 86400;
	int64_t era = days / 146097, of_era = days % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
	int64_t day = of_year - (153 * month + 2) / 5 + 1;
	year += era * 400 + (month >= 10);
	month += month < 10 ? 3 : -9;
	snprintf(text, TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", (int)(year % 10000), (int)month, (int)day, (int)(seconds / 3600),
		 (int)(seconds / 60 % 60), (int)(seconds % 60), (int)(time->tv_nsec % 1000000000));
}
