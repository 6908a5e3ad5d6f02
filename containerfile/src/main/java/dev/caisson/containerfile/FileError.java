package dev.caisson.containerfile;

/// The reason why a container file is refused. The code is stable.
public enum FileError {
    FILE_MISSING("CF-101"),
    FILE_UNREADABLE("CF-102"),
    FILE_TOO_LARGE("CF-103"),
    FILE_UNKNOWN_KIND("CF-104"),
    FILE_IS_TEMPLATE("CF-105"),

    DOCKERFILE_EMPTY("CF-201"),
    DOCKERFILE_UNKNOWN_INSTRUCTION("CF-202"),
    DOCKERFILE_DIRECTIVE("CF-203"),
    DOCKERFILE_ARGUMENTS("CF-204"),
    DOCKERFILE_HEREDOC("CF-205"),
    DOCKERFILE_NO_STAGE("CF-206"),
    DOCKERFILE_STAGE_CYCLE("CF-207"),
    DOCKERFILE_SUBSTITUTION("CF-208"),

    YAML_SYNTAX("CF-301"),
    YAML_TOO_LARGE("CF-302"),

    COMPOSE_SHAPE("CF-401"),
    COMPOSE_CYCLE("CF-402"),
    COMPOSE_REFERENCE("CF-403"),
    COMPOSE_INTERPOLATION("CF-404"),
    COMPOSE_VALUE("CF-405"),
    COMPOSE_REMOTE("CF-406"),
    ENV_FILE("CF-407"),

    KUBERNETES_SHAPE("CF-501"),
    KUBERNETES_VALUE("CF-502"),

    IMAGE_LAYOUT("CF-601");

    private final String code;

    FileError(String code) {
        this.code = code;
    }

    public String code() {
        return code;
    }
}
