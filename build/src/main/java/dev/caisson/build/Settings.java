package dev.caisson.build;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The configuration of an image as a Dockerfile changes it. Immutable; each method that takes a value gives a changed
/// copy.
final class Settings implements Cloneable {
    /// The shell of an image that names none.
    static final List<String> DEFAULT_SHELL = List.of("/bin/sh", "-c");

    private @Nullable Added<Map<String, String>> environment;
    private @Nullable Added<Map<String, String>> labels;
    private @Nullable Added<List<String>> ports;
    private @Nullable Added<List<String>> volumes;
    private String workingDirectory = "";
    private String user = "";
    private List<String> entrypoint = List.of();
    private List<String> command = List.of();
    private boolean commandGiven;
    private List<String> shell = List.of();
    private String stopSignal = "";
    private Optional<Health> health = Optional.empty();
    private @Nullable Added<String> triggers;
    private String author = "";

    /// A health check in the terms of an image's configuration; times in nanoseconds, 0 for the default.
    record Health(List<String> test, long interval, long timeout, long startPeriod, long startInterval, int retries) {}

    /// The configuration of no image at all.
    static Settings scratch() {
        return new Settings();
    }

    private Settings with(Consumer<Settings> change) {
        try {
            var copy = (Settings) clone();
            change.accept(copy);
            return copy;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }

    private static Map<String, String> map(@Nullable Added<Map<String, String>> added) {
        var all = new LinkedHashMap<String, String>();
        Added.all(added).forEach(all::putAll);
        return Collections.unmodifiableMap(all);
    }

    private static Set<String> set(@Nullable Added<List<String>> added) {
        var all = new LinkedHashSet<String>();
        Added.all(added).forEach(all::addAll);
        return Collections.unmodifiableSet(all);
    }

    /// Adds names that are not there yet.
    private static @Nullable Added<List<String>> plus(@Nullable Added<List<String>> added, List<String> more) {
        var fresh = new LinkedHashSet<>(more);
        fresh.removeAll(set(added));
        return fresh.isEmpty() ? added : new Added<>(added, List.copyOf(fresh));
    }

    /// Variables in their order.
    Map<String, String> environment() {
        return map(environment);
    }

    Settings environment(Map<String, String> more) {
        return with(copy -> copy.environment = new Added<>(environment, new LinkedHashMap<>(more)));
    }

    Map<String, String> labels() {
        return map(labels);
    }

    Settings labels(Map<String, String> more) {
        return with(copy -> copy.labels = new Added<>(labels, new LinkedHashMap<>(more)));
    }

    Set<String> ports() {
        return set(ports);
    }

    Settings ports(List<String> more) {
        return with(copy -> copy.ports = plus(ports, more));
    }

    Set<String> volumes() {
        return set(volumes);
    }

    Settings volumes(List<String> more) {
        return with(copy -> copy.volumes = plus(volumes, more));
    }

    /// Returns the directory as the image names it; empty for `/`.
    String workingDirectory() {
        return workingDirectory;
    }

    Settings workingDirectory(String value) {
        return with(copy -> copy.workingDirectory = value);
    }

    /// `user[:group]`; empty for root.
    String user() {
        return user;
    }

    Settings user(String value) {
        return with(copy -> copy.user = value);
    }

    List<String> entrypoint() {
        return entrypoint;
    }

    /// Replaces the entry point. A command that was not given in the same stage is forgotten, as Docker does.
    Settings entrypoint(List<String> value) {
        return with(copy -> {
            copy.entrypoint = List.copyOf(value);
            if (!commandGiven) {
                copy.command = List.of();
            }
        });
    }

    List<String> command() {
        return command;
    }

    Settings command(List<String> value) {
        return with(copy -> {
            copy.command = List.copyOf(value);
            copy.commandGiven = true;
        });
    }

    /// Takes entry point and command from a base image.
    Settings inherited(List<String> baseEntrypoint, List<String> baseCommand) {
        return with(copy -> {
            copy.entrypoint = List.copyOf(baseEntrypoint);
            copy.command = List.copyOf(baseCommand);
        });
    }

    /// The same settings at the beginning of another stage.
    Settings asBase() {
        return with(copy -> copy.commandGiven = false);
    }

    /// Returns the shell as the image names it; empty for the default.
    List<String> shell() {
        return shell;
    }

    Settings shell(List<String> value) {
        return with(copy -> copy.shell = List.copyOf(value));
    }

    /// The words before the line of a shell form.
    List<String> shellWords() {
        return shell.isEmpty() ? DEFAULT_SHELL : shell;
    }

    String stopSignal() {
        return stopSignal;
    }

    Settings stopSignal(String value) {
        return with(copy -> copy.stopSignal = value);
    }

    Optional<Health> health() {
        return health;
    }

    Settings health(Health value) {
        return with(copy -> copy.health = Optional.of(value));
    }

    /// Instructions that a build on this image carries out first.
    List<String> triggers() {
        return Added.all(triggers);
    }

    Settings trigger(String instruction) {
        return with(copy -> copy.triggers = new Added<>(triggers, instruction));
    }

    Settings withoutTriggers() {
        return with(copy -> copy.triggers = null);
    }

    String author() {
        return author;
    }

    Settings author(String value) {
        return with(copy -> copy.author = value);
    }
}
