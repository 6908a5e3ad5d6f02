package dev.caisson.containerfile.dockerfile;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The instructions of a Dockerfile.
public enum Keyword {
    ADD,
    ARG,
    CMD,
    COPY,
    ENTRYPOINT,
    ENV,
    EXPOSE,
    FROM,
    HEALTHCHECK,
    LABEL,
    MAINTAINER,
    ONBUILD,
    RUN,
    SHELL,
    STOPSIGNAL,
    USER,
    VOLUME,
    WORKDIR;

    private static final Map<String, Keyword> BY_NAME = byName();

    /// The instruction of that name, in any case.
    public static Optional<Keyword> of(String name) {
        return Optional.ofNullable(BY_NAME.get(name.toUpperCase(Locale.ROOT)));
    }

    boolean takesHeredoc() {
        return this == ADD || this == COPY || this == RUN;
    }

    boolean takesFlags() {
        return takesHeredoc() || this == FROM || this == HEALTHCHECK;
    }

    boolean takesJson() {
        return takesHeredoc() || this == CMD || this == ENTRYPOINT || this == SHELL || this == VOLUME;
    }

    private static Map<String, Keyword> byName() {
        Map<String, Keyword> names = new HashMap<>();
        for (Keyword keyword : values()) {
            names.put(keyword.name(), keyword);
        }
        return names;
    }
}
