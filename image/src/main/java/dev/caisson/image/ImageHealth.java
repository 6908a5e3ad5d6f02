package dev.caisson.image;

import java.time.Duration;
import java.util.List;

/// A health check as an image's configuration has it, in Docker's terms.
///
/// @param test `CMD` and words, `CMD-SHELL` and a line for `/bin/sh -c`, or `NONE`; empty if the image does not say. A
/// line
///     for a shell that the image names is `CMD` with that shell
/// @param interval zero for the default, as are all that follow
public record ImageHealth(
        List<String> test,
        Duration interval,
        Duration timeout,
        Duration startPeriod,
        Duration startInterval,
        int retries) {
    public ImageHealth {
        test = List.copyOf(test);
    }
}
