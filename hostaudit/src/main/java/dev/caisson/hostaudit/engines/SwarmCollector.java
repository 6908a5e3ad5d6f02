package dev.caisson.hostaudit.engines;

import dev.caisson.hostaudit.facts.EngineFacts.ServiceFacts;
import dev.caisson.hostaudit.facts.EngineFacts.SwarmFacts;
import dev.caisson.hostaudit.facts.Tree;
import dev.caisson.hostaudit.kernel.HostFiles;
import dev.caisson.hostaudit.secrets.Variables;
import dev.caisson.text.MalformedJsonException;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;

/// Gathers what a manager tells of its swarm. Join tokens and unlock keys are never read into a fact.
final class SwarmCollector {
    private static final long NANOS = 1_000_000_000L;

    private SwarmCollector() {}

    /// Empty where this node manages none.
    /// @param user who runs the engine
    static Optional<SwarmFacts> collect(EngineApi api, Tree info, HostFiles files, String dataRoot, long user) {
        if (!info.at("Swarm", "ControlAvailable").truth()) {
            return Optional.empty();
        }
        Optional<Tree> found = api.findInSwarm("/swarm");
        if (found.isEmpty()) {
            return Optional.empty();
        }
        Tree swarm = found.get();
        List<Tree> managers = api.findInSwarm("/nodes").orElse(Tree.NONE).list().stream()
                .filter(node -> node.at("Spec", "Role").textOr("").equals("manager"))
                .toList();
        Tree state = state(files, dataRoot, user);
        return Optional.of(new SwarmFacts(
                managers.size(),
                (int) managers.stream()
                        .filter(node -> node.at("ManagerStatus", "Reachability")
                                .textOr("")
                                .equals("reachable"))
                        .count(),
                swarm.at("Spec", "EncryptionConfig", "AutoLockManagers").truth(),
                swarm.at("Spec", "CAConfig", "NodeCertExpiry").number(0) / NANOS,
                validSince(swarm.at("TLSInfo", "TrustRoot").textOr("")),
                (int) swarm.at("Spec", "CAConfig", "ForceRotate").number(0),
                info.at("Swarm", "NodeAddr").textOr(""),
                state.at("DataPathAddr").textOr(""),
                state.at("ListenAddr").textOr(""),
                api.findInSwarm("/secrets").orElse(Tree.NONE).list().size(),
                api.findInSwarm("/services").orElse(Tree.NONE).list().stream()
                        .map(SwarmCollector::service)
                        .sorted(java.util.Comparator.comparing(ServiceFacts::name))
                        .toList()));
    }

    private static Tree state(HostFiles files, String dataRoot, long user) {
        try {
            return files.text(dataRoot + "/swarm/docker-state.json", user)
                    .map(Tree::parse)
                    .orElse(Tree.NONE);
        } catch (MalformedJsonException e) {
            return Tree.NONE;
        }
    }

    private static ServiceFacts service(Tree service) {
        Tree task = service.at("Spec", "TaskTemplate", "ContainerSpec");
        return new ServiceFacts(
                service.at("Spec", "Name").textOr(""),
                task.at("Secrets").list().size(),
                task.at("Env").texts().stream()
                        .filter(Variables::holdsSecret)
                        .map(variable -> variable.split("=", 2)[0])
                        .sorted()
                        .toList());
    }

    private static long validSince(String pem) {
        if (pem.isEmpty()) {
            return 0;
        }
        try {
            return ((X509Certificate) CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII))))
                    .getNotBefore()
                    .toInstant()
                    .getEpochSecond();
        } catch (CertificateException e) {
            return 0;
        }
    }
}
