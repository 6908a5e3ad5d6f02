package dev.caisson.network;

import dev.caisson.spec.ContainerId;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Takes back what a container has that goes, and the links of others to it: its addresses may be another's next.
final class Unlinking {
    private final NetworkRecords records;
    private final KernelNetworks kernel;

    Unlinking(NetworkRecords records, KernelNetworks kernel) {
        this.records = records;
        this.kernel = kernel;
    }

    /// Takes back the places of a container, and waits until its links are gone.
    void release(NetworkRecords.Held held, ContainerId container) {
        takeBack(held, container, kernel::release);
    }

    /// Takes back the places of a container. Its links pass nothing from here on, and are removed later.
    void detach(NetworkRecords.Held held, ContainerId container) {
        takeBack(held, container, kernel::detach);
    }

    private void takeBack(NetworkRecords.Held held, ContainerId container, Consumer<ContainerNetworks> from) {
        ContainerNetworks there = records.containers().get(container);
        if (there != null) {
            held.begin();
            dropLinks(container, Optional.empty());
            from.accept(there);
            records.remove(there);
            held.finish();
        }
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
