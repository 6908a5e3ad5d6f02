package dev.caisson.audit;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.workload.WorkloadOrigin;
import dev.caisson.containerfile.yaml.Yaml;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Looks into a seccomp profile that a compose file names: one whose default action allows is no filter worth the name.
final class SeccompFiles {
    private SeccompFiles() {}

    static List<Verdict> judge(Workload workload, Setting<String> profile) {
        if (!(workload.origin() instanceof WorkloadOrigin.Compose origin)) {
            return Verdict.none();
        }
        try {
            Path file = origin.project().base(profile.place()).resolve(profile.value());
            if (!origin.project().tree().isFile(file)) {
                return Verdict.none();
            }
            // JSON is YAML
            return Yaml.document(origin.project().tree().read(file))
                    .filter(YamlMap.class::isInstance)
                    .map(YamlMap.class::cast)
                    .filter(SeccompFiles::allowsByDefault)
                    .map(map -> Verdict.fail(
                            profile.place(),
                            "the seccomp profile " + profile.value() + " of " + workload.name()
                                    + " allows what it does not name"))
                    .stream()
                    .toList();
        } catch (InvalidPathException e) {
            return List.of(Verdict.unknown(profile.place(), "the seccomp profile is no path: " + e.getReason()));
        } catch (ContainerFileException e) {
            return List.of(Verdict.unknown(
                    profile.place(), "the seccomp profile " + profile.value() + " cannot be read: " + e.problem()));
        }
    }

    private static boolean allowsByDefault(YamlMap profile) {
        Optional<String> action = profile.scalar("defaultAction").map(YamlScalar::value);
        return action.filter(name -> name.equals("SCMP_ACT_ALLOW") || name.equals("SCMP_ACT_LOG"))
                .isPresent();
    }
}
