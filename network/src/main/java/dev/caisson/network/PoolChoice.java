package dev.caisson.network;

import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.Subnet;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Chooses the subnets of a new network: those that were asked for, if they are free, else free ones.
final class PoolChoice {
    private final NetworkRecords records;
    private final KernelNetworks kernel;

    PoolChoice(NetworkRecords records, KernelNetworks kernel) {
        this.records = records;
        this.kernel = kernel;
    }

    /// @param id of the network
    List<NetworkSpec.Pool> pools(String id, NetworkSpec spec) {
        var pools = new ArrayList<NetworkSpec.Pool>();
        pools.add(spec.pool(false).map(this::checked).orElseGet(() -> pool(AddressPlan.freeSubnet(taken()))));
        if (spec.ipv6()) {
            pools.add(spec.pool(true).map(this::checked).orElseGet(() -> checked(pool(AddressPlan.subnet6(id)))));
        }
        return pools;
    }

    private static NetworkSpec.Pool pool(Subnet subnet) {
        return new NetworkSpec.Pool(subnet, Optional.empty(), Optional.of(AddressPlan.firstOf(subnet)));
    }

    private NetworkSpec.Pool checked(NetworkSpec.Pool pool) {
        Subnet subnet = pool.subnet();
        AddressPlan.requireOfMachines(subnet);
        for (NetworkInfo other : records.networks().values()) {
            other.subnet(subnet.isIpv6()).filter(subnet::overlaps).ifPresent(theirs -> {
                throw new NetworkException(
                        Code.SUBNET_TAKEN,
                        "subnet " + subnet + " overlaps " + theirs + " of network " + other.name()
                                + ": choose another");
            });
        }
        kernel.linkOf(subnet).ifPresent(link -> {
            throw new NetworkException(
                    Code.SUBNET_TAKEN,
                    "subnet " + subnet + " overlaps that of the host's interface " + link + ": choose another");
        });
        return new NetworkSpec.Pool(
                subnet, pool.range(), pool.gateway().or(() -> Optional.of(AddressPlan.firstOf(subnet))));
    }

    private List<Subnet> taken() {
        var taken = new ArrayList<>(kernel.hostSubnets());
        taken.addAll(kernel.routes());
        records.networks().values().forEach(network -> network.subnet(false).ifPresent(taken::add));
        taken.removeIf(Subnet::isIpv6);
        return taken;
    }
}
