package dev.caisson.network;

import dev.caisson.linux.KernelRandom;
import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.NetworkSpec;
import java.time.Instant;
import java.util.HexFormat;

/// Makes networks: a record first, then what the kernel has of it.
final class Creation {
    private static final int ID_BYTES = 32;

    private final NetworkRecords records;
    private final KernelNetworks kernel;

    Creation(NetworkRecords records, KernelNetworks kernel) {
        this.records = records;
        this.kernel = kernel;
    }

    NetworkInfo create(NetworkRecords.Held held, NetworkSpec spec) {
        if (records.networks().values().stream().anyMatch(one -> one.name().equals(spec.name()))) {
            throw new NetworkException(
                    Code.NETWORK_EXISTS, "network " + spec.name() + " exists already: choose another name");
        }
        if (records.networks().size() >= Networks.MOST) {
            throw new NetworkException(
                    Code.NO_SUBNET_LEFT, "there are " + Networks.MOST + " networks, which is the most: remove some");
        }
        NetworkInfo network = planned(spec);
        held.begin();
        records.put(network);
        try {
            kernel.require(network);
            kernel.addElements(new Elements().network(network).all());
        } catch (RuntimeException e) {
            undo(e, () -> kernel.remove(network));
            records.remove(network);
            held.finish();
            throw e;
        }
        held.finish();
        return network;
    }

    NetworkInfo planned(NetworkSpec spec) {
        String id = HexFormat.of().formatHex(KernelRandom.bytes(ID_BYTES));
        return new NetworkInfo(
                id,
                spec.name(),
                Instant.ofEpochMilli(Instant.now().toEpochMilli()),
                new PoolChoice(records, kernel).pools(id, spec),
                spec.internal(),
                spec.ipv6(),
                spec.betweenContainers(),
                spec.mtu(),
                spec.labels());
    }

    static void undo(RuntimeException failure, Runnable undoing) {
        try {
            undoing.run();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }
}
