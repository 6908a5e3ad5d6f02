package dev.caisson.integration.spring;

import dev.caisson.engine.ContainerRunner;
import dev.caisson.engine.Engine;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/// An [Engine] bean, closed with the application. A bean of type [ContainerRunner] that the application
/// declares itself, such as a fake in a test, takes its place.
@AutoConfiguration
@EnableConfigurationProperties(CaissonProperties.class)
public class CaissonAutoConfiguration {
    /// For Spring.
    public CaissonAutoConfiguration() {}

    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean(ContainerRunner.class)
    Engine caissonEngine(CaissonProperties properties) {
        return Engine.open(properties.options());
    }
}
