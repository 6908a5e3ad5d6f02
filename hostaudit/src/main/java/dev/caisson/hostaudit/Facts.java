package dev.caisson.hostaudit;

import java.util.List;
import java.util.Optional;

/// All that was gathered of a host, before anything is judged. Plain values: the same facts give the same
/// findings.
///
/// @param second when they were gathered, seconds since 1970
/// @param engine absent where no engine answers
/// @param gaps what could not be read, and why
record Facts(
        long second,
        HostFacts host,
        Optional<EngineFacts> engine,
        List<ImageFacts> images,
        List<ContainerFacts> containers,
        List<Gap> gaps) {
    /// Something that could not be read.
    record Gap(String what, String reason) {}

    /// Why a file of the host is not known, where it or a directory above it could not be looked at.
    Optional<Gap> gapAt(String path) {
        return gaps.stream()
                .filter(gap -> gap.what().startsWith("/") && MountTable.isBelow(path, gap.what()))
                .findFirst();
    }

    /// The container of that id or name.
    Optional<ContainerFacts> container(String idOrName) {
        return containers.stream()
                .filter(container ->
                        container.id().equals(idOrName) || container.name().equals(idOrName))
                .findFirst();
    }
}
