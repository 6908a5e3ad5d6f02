package dev.caisson.hostaudit.checks;

import dev.caisson.hostaudit.facts.EngineFacts;
import java.util.Map;
import java.util.Optional;

/// Advice for an engine that is not dockerd, for checks whose advice names dockerd's settings or commands.
public final class EngineAdvice {
    private static final Map<String, String> OF_PODMAN = Map.ofEntries(
            Map.entry("remote-shell", "Remove it; use podman exec."),
            Map.entry("image-sprawl", "podman image prune -a, on a schedule."),
            Map.entry("container-sprawl", "podman container prune, on a schedule."),
            Map.entry("userns-remap-off", "Run podman without root, or its containers with --userns auto."),
            Map.entry("userns-shared", "Run podman without root, or the container with --userns auto."),
            Map.entry("userns-host", "Remove --userns host."),
            Map.entry(
                    "container-root",
                    "Set USER in its image or --user to a numeric id other than 0, or give it --userns auto."),
            Map.entry("log-endless", "Set --log-opt max-size, or log_size_max in containers.conf, or use journald."),
            Map.entry("ulimits-inherited", "Set --ulimit nofile and nproc, or default_ulimits in containers.conf."),
            Map.entry("selinux-off", "Remove label=disable and label=false in containers.conf."),
            Map.entry(
                    "seccomp-profile-default",
                    "Remove seccomp_profile from containers.conf, or name a profile that is stricter than podman's own."),
            Map.entry(
                    "registry-insecure",
                    "Remove insecure = true from registries.conf, and give the registry a certificate."),
            Map.entry("disk-unbounded", "Set --read-only, or --storage-opt size where the driver can do it."),
            Map.entry(
                    "engine-socket-file-owner",
                    "Give it to root:root, or to the user whose podman it is, and keep the directories above closed to"
                            + " others."),
            Map.entry(
                    "content-trust-off",
                    "Verify signatures at deployment (cosign, notation), or have /etc/containers/policy.json demand them"
                            + " of podman."),
            Map.entry("daemon-root", "Use podman without root where its users can do without privileged features."),
            Map.entry(
                    "data-root-shares-filesystem",
                    "Give graphroot of storage.conf a partition or logical volume of its own."));

    private EngineAdvice() {}

    /// Empty where the check's own advice holds.
    public static Optional<String> of(Optional<EngineFacts> engine, String check) {
        return engine.filter(EngineFacts::isPodman).flatMap(podman -> Optional.ofNullable(OF_PODMAN.get(check)));
    }
}
