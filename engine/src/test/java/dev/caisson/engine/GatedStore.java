package dev.caisson.engine;

import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.Unlocker;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Gate;
import dev.caisson.spec.Network;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A store with one secret, `gh`, and containers on the network `web` that have a gate for it.
final class GatedStore {
    static final String HOST = "api.gated.invalid";

    private GatedStore() {}

    /// @param scratch for its key
    static void make(Path store, Path scratch, SecretValue value) throws Exception {
        var key = new Unlocker.KeyFile(scratch.resolve("key"));
        SecretStore.make(store, new NewStore(key, List.of(), true), Optional::empty, "test");
        try (SecretStore open = SecretStore.open(store, Optional::empty)) {
            open.create(new SecretName("gh"), value, Map.of(), Optional.empty(), "test");
        }
    }

    static ContainerSpec gated(ContainerSpec spec) {
        return spec.network(Network.on("web").egress(Egress.only(HOST + ":443")))
                .secret(Gate.of("gh").to(HOST).asBearer());
    }
}
