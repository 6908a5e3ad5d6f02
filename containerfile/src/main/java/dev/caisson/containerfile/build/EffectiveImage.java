package dev.caisson.containerfile.build;

import dev.caisson.containerfile.HealthCheck;
import dev.caisson.containerfile.ImageConfig;
import dev.caisson.containerfile.RunAs;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.Word;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The image that a stage of a Dockerfile really becomes, its base chain included. Settings of a base image's
/// configuration stand at the `FROM` that names it.
/// @param stage the stage built
/// @param chain the stages it stands on, the first base first, itself last
/// @param root what the first stage of the chain starts from
/// @param baseConfig the root image's configuration, where it is present
/// @param user the deciding `USER`; absent if neither file nor base set one
/// @param userUnset variables in that `USER` that have no value
/// @param steps every instruction of the chain, in the order of the build
public record EffectiveImage(
        Stage stage,
        List<Stage> chain,
        Base root,
        Optional<ImageConfig> baseConfig,
        Optional<Setting<String>> user,
        List<String> userUnset,
        Map<String, Setting<String>> environment,
        Map<String, Setting<String>> labels,
        List<Setting<String>> ports,
        List<Setting<String>> volumes,
        Optional<Setting<HealthCheck>> health,
        Optional<Setting<List<Word>>> entrypoint,
        Optional<Setting<List<Word>>> command,
        List<Step> steps) {
    /// Returns the user of the container's first process.
    public RunAs runAs() {
        return UserResolution.of(this);
    }

    /// The instructions of one kind.
    public List<Step> steps(Keyword keyword) {
        return steps.stream()
                .filter(step -> step.instruction().keyword() == keyword)
                .toList();
    }
}
