package dev.caisson.network;

import dev.caisson.spec.ContainerId;
import java.util.List;
import java.util.Optional;

/// Takes links away whose container goes: its addresses may be another's next.
final class Unlinking {
    private final NetworkRecords records;
    private final KernelNetworks kernel;

    Unlinking(NetworkRecords records, KernelNetworks kernel) {
        this.records = records;
        this.kernel = kernel;
    }

    /// Takes away the links of others to a container. The caller has begun a change.
    ///
    /// @param network id of the one that the container leaves; empty for all
    void dropLinks(ContainerId target, Optional<String> network) {
        for (ContainerNetworks before : List.copyOf(records.containers().values())) {
            ContainerNetworks after = before.without(target, network);
            if (!after.equals(before)) {
                kernel.replaceElements(before, after);
                records.put(after);
            }
        }
    }
}
