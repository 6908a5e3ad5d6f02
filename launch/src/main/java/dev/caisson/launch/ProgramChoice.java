package dev.caisson.launch;

import dev.caisson.error.ArgumentException;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Gate;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Network;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The program to run, with its variables and directory: the spec before the image, as `docker run` has it.
///
/// @param workingDirectory empty for the root
record ProgramChoice(List<String> arguments, Map<String, String> environment, Optional<InRootPath> workingDirectory) {
    private static final String DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// Variables that name a file of certificates: of OpenSSL and Go, Node, Python's requests, curl and git.
    private static final List<String> TRUSTING =
            List.of("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO");

    /// @throws RefusedException where the image and the wish together name no program, or the image a wrong directory
    static ProgramChoice of(ContainerSpec spec, RootImage image, String hostName, GuestNetwork network) {
        return new ProgramChoice(
                arguments(spec, image), environment(spec, image, hostName, network), directory(spec, image));
    }

    /// Returns the search path of a program without a slash.
    String path() {
        return environment.getOrDefault("PATH", DEFAULT_PATH);
    }

    /// Returns the variables as `NAME=value`.
    List<String> variables() {
        return environment.entrySet().stream()
                .map(variable -> variable.getKey() + "=" + variable.getValue())
                .toList();
    }

    private static List<String> arguments(ContainerSpec spec, RootImage image) {
        var arguments = new ArrayList<>(spec.entrypoint().orElse(image.entrypoint()));
        boolean ownProgram = spec.entrypoint().isPresent() || !spec.command().isEmpty();
        arguments.addAll(ownProgram ? spec.command() : image.command());
        if (arguments.isEmpty() || arguments.getFirst().isEmpty()) {
            throw new RefusedException("PROGRAM_MISSING", "the image names no program: give one after it");
        }
        return arguments;
    }

    private static Map<String, String> environment(
            ContainerSpec spec, RootImage image, String hostName, GuestNetwork network) {
        var all = new LinkedHashMap<String, String>();
        all.put("PATH", DEFAULT_PATH);
        all.put("HOSTNAME", hostName);
        if (spec.terminal().isPresent()) {
            all.put("TERM", "xterm");
        }
        all.put("HOME", image.user().home());
        all.putAll(LinkVariables.of(network));
        for (Mount mount : spec.mounts()) {
            if (mount instanceof Mount.Secrets secrets) {
                secrets.files().forEach(file -> all.put(file.variable(), file.path()));
            }
        }
        for (String variable : image.environment()) {
            int equals = variable.indexOf('=');
            if (equals > 0 && variable.indexOf('\0') < 0) {
                all.put(variable.substring(0, equals), variable.substring(equals + 1));
            }
        }
        if (spec.network() instanceof Network.Joined joined && !joined.gates().isEmpty()) {
            TRUSTING.forEach(name -> all.put(name, Gate.CERTIFICATES.absolute()));
        }
        all.putAll(spec.environment());
        for (Mount mount : spec.mounts()) {
            if (mount instanceof Mount.Secrets secrets) { // they get their values when the program is started
                secrets.files().forEach(file -> file.asVariable().ifPresent(all::remove));
            }
        }
        return all;
    }

    private static Optional<InRootPath> directory(ContainerSpec spec, RootImage image) {
        String directory = spec.workingDirectory().orElse(image.workingDirectory());
        if (directory.isEmpty()) {
            return Optional.empty();
        }
        try {
            InRootPath path = InRootPath.parse(directory);
            Policy.requireOrdinaryDirectory(path);
            return Optional.of(path);
        } catch (ArgumentException e) {
            throw new RefusedException("WORKING_DIRECTORY", "the image's working directory: " + e.sentence());
        }
    }
}
