package dev.caisson.containerfile.build;

import dev.caisson.containerfile.ImageReference;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.RunAs;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.ShellCommand;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Tells whether the `USER` in force is root: numbers, names, the base image's own user, and accounts that a `RUN`
/// makes with user id 0.
final class UserResolution {
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,19}");
    private static final List<String> NOT_ROOT_TAGS = List.of("nonroot", "non-root", "rootless", "unprivileged");

    /// Images of systems and languages that Docker publishes and that have never named a user.
    private static final Set<String> OFFICIAL_ROOT = Set.of(
            "almalinux",
            "alpine",
            "amazonlinux",
            "archlinux",
            "buildpack-deps",
            "busybox",
            "caddy",
            "centos",
            "debian",
            "eclipse-temurin",
            "fedora",
            "gcc",
            "golang",
            "gradle",
            "httpd",
            "maven",
            "mongo",
            "mysql",
            "nginx",
            "node",
            "openjdk",
            "oraclelinux",
            "perl",
            "php",
            "postgres",
            "python",
            "redis",
            "rockylinux",
            "ruby",
            "rust",
            "tomcat",
            "ubuntu");

    private UserResolution() {}

    static RunAs of(EffectiveImage image) {
        Place from = image.stage().from().place();
        if (image.user().isEmpty()) {
            return withoutUser(image, from);
        }
        Setting<String> user = image.user().get();
        String name = user.value().split(":", -1)[0].strip();
        if (name.isEmpty()) {
            if (!image.userUnset().isEmpty()) {
                return new RunAs.Root(
                        user.place(),
                        "USER is empty unless the build sets " + String.join(", ", image.userUnset())
                                + ", which has no default");
            }
            return new RunAs.Root(user.place(), "USER is empty, which means root");
        }
        return named(name, user.place(), image);
    }

    private static RunAs withoutUser(EffectiveImage image, Place from) {
        return switch (image.root()) {
            case Base.Scratch scratch -> new RunAs.Root(from, "no USER is set and scratch has none");
            case Base.Unknown unknown ->
                new RunAs.Unknown(from, "no USER is set and the base image is not known: " + unknown.reason());
            case Base.Image base -> {
                if (NOT_ROOT_TAGS.stream().anyMatch(base.reference().toString().toLowerCase(Locale.ROOT)::contains)) {
                    yield new RunAs.Other(from, "", false, "the base image's name says that it is not run as root");
                }
                if (image.baseConfig().isPresent()) {
                    yield new RunAs.Root(from, "no USER is set, neither here nor by the base image");
                }
                if (isOfficialRoot(base.reference())) {
                    yield new RunAs.Root(
                            from, "no USER is set here, and " + base.reference() + " is published with none");
                }
                yield new RunAs.Unknown(
                        from,
                        "no USER is set here, and the image " + base.reference()
                                + " is not at hand to tell what it sets");
            }
            case Base.Earlier earlier -> throw new IllegalStateException("a chain starts at no stage");
        };
    }

    private static boolean isOfficialRoot(ImageReference reference) {
        return reference.registry().equals("docker.io")
                && OFFICIAL_ROOT.contains(reference.repository().replaceFirst("^library/", ""));
    }

    private static RunAs named(String name, Place place, EffectiveImage image) {
        if (NUMBER.matcher(name).matches()) {
            return name.chars().allMatch(c -> c == '0')
                    ? new RunAs.Root(place, "USER is user id 0")
                    : new RunAs.Other(place, name, true, "USER is user id " + name);
        }
        if (name.equals("root")) {
            return new RunAs.Root(place, "USER is root");
        }
        Optional<Long> made = madeByRun(name, image);
        Optional<Long> id = made.isPresent()
                ? made
                : image.baseConfig().map(config -> config.users().get(name));
        if (id.isPresent() && id.get() == 0) {
            return new RunAs.Root(place, "USER " + name + " has user id 0");
        }
        return new RunAs.Other(place, name, false, "USER is " + name);
    }

    /// The user id that a `useradd` or `adduser` of the build gives to `name`.
    private static Optional<Long> madeByRun(String name, EffectiveImage image) {
        Optional<Long> id = Optional.empty();
        for (Step step : image.steps(Keyword.RUN)) {
            for (ShellCommand command : step.commands()) {
                if ((command.name().equals("useradd") || command.name().equals("adduser"))
                        && command.arguments().contains(name)) {
                    id = command.optionValue("-u", "--uid")
                            .filter(value -> NUMBER.matcher(value).matches())
                            .map(Long::valueOf);
                }
            }
        }
        return id;
    }
}
