package dev.caisson.integration.spring;

import dev.caisson.engine.Engine;
import dev.caisson.micrometer.ContainerMetrics;
import dev.caisson.micrometer.EngineMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/// Meters of the engine and of each container, if `caisson-micrometer` is on the class path; Spring Boot binds them to
/// its registry.
@AutoConfiguration(after = CaissonAutoConfiguration.class)
@ConditionalOnClass({MeterRegistry.class, ContainerMetrics.class})
@ConditionalOnBean(Engine.class)
public class CaissonMetricsAutoConfiguration {
    /// For Spring.
    public CaissonMetricsAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean
    EngineMetrics caissonEngineMetrics(Engine engine) {
        return new EngineMetrics(engine);
    }

    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean
    ContainerMetrics caissonContainerMetrics(Engine engine) {
        return new ContainerMetrics(engine);
    }
}
