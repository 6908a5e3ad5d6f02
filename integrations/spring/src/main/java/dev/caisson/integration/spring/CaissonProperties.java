package dev.caisson.integration.spring;

import dev.caisson.engine.CgroupDriver;
import dev.caisson.engine.EngineOptions;
import java.nio.file.Path;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/// What `application.properties` may say of the engine.
///
/// @param state directory of what lives as long as the kernel runs
/// @param data directory of images and of writable layers on disk
/// @param driver who answers for control groups: `cgroupfs` or `systemd`
@ConfigurationProperties("caisson")
public record CaissonProperties(
        @DefaultValue("/run/caisson") Path state,
        @DefaultValue("/var/lib/caisson") Path data,
        @DefaultValue("cgroupfs") CgroupDriver driver) {
    EngineOptions options() {
        return new EngineOptions(state, data, driver);
    }
}
