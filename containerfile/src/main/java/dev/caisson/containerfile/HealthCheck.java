package dev.caisson.containerfile;

import java.util.List;

/// How a container is asked whether it is well.
public sealed interface HealthCheck {
    /// The base image's check is switched off.
    record None() implements HealthCheck {}

    /// A command line for the image's shell.
    record ShellForm(String command) implements HealthCheck {}

    /// A program with its arguments, run without a shell.
    record ExecForm(List<String> words) implements HealthCheck {}

    /// A probe of the orchestrator that needs no program in the image: HTTP, TCP or gRPC.
    record Probe(String kind) implements HealthCheck {}
}
