package dev.caisson.audit;

import dev.caisson.containerfile.HealthCheck;
import dev.caisson.containerfile.ImageConfig;
import dev.caisson.containerfile.ImageReference;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.RunAs;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.build.Base;
import dev.caisson.containerfile.build.Stage;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.Word;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Rules on what an image is made from and what its configuration says.
final class StageRules {
    static final List<Rule<DockerfileUnit>> ALL = List.of(
            Rule.of("image-user-root", StageRules::user),
            Rule.of("base-not-pinned", StageRules::pinned),
            Rule.of("base-latest", StageRules::latest),
            Rule.of("base-unknown", StageRules::unknown),
            Rule.of("image-no-healthcheck", StageRules::health),
            Rule.of("healthcheck-tool-missing", HealthTools::judge),
            Rule.of("admin-port-exposed", StageRules::ports),
            Rule.of("frontend-unknown", StageRules::frontend));

    /// Those on what the image is made from, without those on what it becomes.
    static final List<Rule<DockerfileUnit>> BUILD = List.of(
            Rule.of("base-not-pinned", StageRules::pinned),
            Rule.of("base-latest", StageRules::latest),
            Rule.of("base-unknown", StageRules::unknown),
            Rule.of("frontend-unknown", StageRules::frontend));

    private static final Set<String> ADMIN_PORTS = Set.of("22", "2375", "2376", "2377", "3389", "5900");

    private record Used(ImageReference reference, Place place) {}

    private StageRules() {}

    private static List<Verdict> user(DockerfileUnit unit) {
        return switch (unit.image().runAs()) {
            case RunAs.Other other -> Verdict.none();
            case RunAs.Root root -> {
                Verdict verdict = Verdict.fail(root.place(), "the final image runs as root: " + root.reason());
                yield List.of(verdict.with(userFix(unit, root)));
            }
            case RunAs.Unknown unknown -> List.of(Verdict.unknown(unknown.place(), unknown.reason()));
        };
    }

    /// Root in words is replaced; where no `USER` is set, one is put before the program is named.
    private static Fix userFix(DockerfileUnit unit, RunAs.Root root) {
        String line = "USER 65532:65532";
        Optional<Setting<String>> user = unit.image().user();
        if (user.isPresent()
                && user.get().place().text().toUpperCase(Locale.ROOT).startsWith("USER")) {
            return Fixes.replace(false, root.place(), line);
        }
        Stage stage = unit.build().finalStage();
        Optional<Instruction> program = stage.instructions().stream()
                .filter(instruction ->
                        instruction.keyword() == Keyword.CMD || instruction.keyword() == Keyword.ENTRYPOINT)
                .findFirst();
        int at = program.map(instruction -> instruction.extent().start())
                .orElse(stage.extent().end());
        String before = at > 0 && unit.file().source().text().charAt(at - 1) != '\n' ? "\n" : "";
        return Fixes.replace(false, unit.file().source().place(at, at), before + line + "\n");
    }

    private static List<Used> images(DockerfileUnit unit) {
        List<Used> images = new ArrayList<>();
        for (Stage stage : unit.needed()) {
            if (stage.base() instanceof Base.Image image) {
                images.add(new Used(image.reference(), stage.baseWord().place()));
            }
            for (Word source : unit.build().sources(stage)) {
                if (unit.build().sourceStage(stage, source.value()).isEmpty()
                        && !source.value().contains("$")) {
                    ImageReference.parse(source.value())
                            .filter(reference -> !source.value().matches("[0-9]+|context|scratch"))
                            .ifPresent(reference -> images.add(new Used(reference, source.place())));
                }
            }
        }
        return images;
    }

    private static List<Verdict> pinned(DockerfileUnit unit) {
        return images(unit).stream()
                .filter(image -> !image.reference().pinned())
                .map(image -> {
                    Verdict verdict = Verdict.fail(image.place(), image.reference() + " is not pinned by digest");
                    return digest(unit, image).map(verdict::with).orElse(verdict);
                })
                .toList();
    }

    /// An image that is present tells its digest.
    private static Optional<Fix> digest(DockerfileUnit unit, Used image) {
        String written = image.place().text();
        return unit.build()
                .images()
                .find(image.reference())
                .flatMap(ImageConfig::digest)
                .filter(digest -> !written.contains("$") && !written.contains("="))
                .map(digest -> Fixes.replace(true, image.place(), written + "@" + digest));
    }

    private static List<Verdict> latest(DockerfileUnit unit) {
        return images(unit).stream()
                .filter(image -> image.reference().latest())
                .map(image -> Verdict.fail(image.place(), "the version of " + image.reference() + " is left open"))
                .toList();
    }

    private static List<Verdict> unknown(DockerfileUnit unit) {
        List<Verdict> verdicts = new ArrayList<>();
        for (Stage stage : unit.needed()) {
            if (stage.base() instanceof Base.Unknown unknown) {
                verdicts.add(Verdict.fail(
                        stage.baseWord().place(),
                        "the base of stage " + stage.label() + " is not known: " + unknown.reason()));
            }
        }
        return verdicts;
    }

    private static List<Verdict> health(DockerfileUnit unit) {
        Optional<Setting<HealthCheck>> health = unit.image().health();
        if (health.isEmpty()) {
            return List.of(
                    Verdict.fail(unit.build().finalStage().from().place(), "the final image has no HEALTHCHECK"));
        }
        return health.get().value() instanceof HealthCheck.None
                ? List.of(Verdict.fail(health.get().place(), "the final image's health check is switched off"))
                : Verdict.none();
    }

    private static List<Verdict> ports(DockerfileUnit unit) {
        return unit.image().ports().stream()
                .filter(port -> ADMIN_PORTS.contains(port.value().split("/", -1)[0]))
                .map(port -> Verdict.fail(port.place(), "the image exposes port " + port.value()))
                .toList();
    }

    private static List<Verdict> frontend(DockerfileUnit unit) {
        return unit.file().directive("syntax").stream()
                .filter(directive -> ImageReference.parse(directive.value())
                        .filter(image -> image.registry().equals("docker.io")
                                && image.repository().startsWith("docker/dockerfile"))
                        .isEmpty())
                .map(directive -> Verdict.fail(
                        unit.file()
                                .source()
                                .place(
                                        directive.extent().start(),
                                        directive.extent().start() + 1),
                        "the frontend is " + directive.value()))
                .toList();
    }
}
