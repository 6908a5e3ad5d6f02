package dev.caisson.gate;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIMatcher;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/// The certificates that a gate shows, one for each name that a greeting may ask for; none for any other.
final class Leaves extends X509ExtendedKeyManager {
    private static final String KIND = "EC";
    private static final int HOST_NAME = 0;

    private final Authority authority;
    private final Set<String> hosts;
    private final ConcurrentMap<String, Authority.Leaf> leaves = new ConcurrentHashMap<>();

    Leaves(Authority authority, Set<String> hosts) {
        this.authority = authority;
        this.hosts = Set.copyOf(hosts);
    }

    /// Returns a context of a server that shows them.
    SSLContext context() throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(new KeyManager[] {this}, null, null);
        return context;
    }

    /// Refuses greetings for other names.
    SNIMatcher matcher() {
        return new SNIMatcher(HOST_NAME) {
            @Override
            public boolean matches(SNIServerName name) {
                return hostOf(name).isPresent();
            }
        };
    }

    /// Returns the name that the greeting of a connection asked for, if it is one of them.
    Optional<String> asked(SSLSession session) {
        if (session instanceof ExtendedSSLSession extended) {
            List<SNIServerName> names = extended.getRequestedServerNames();
            return names.size() == 1 ? hostOf(names.getFirst()) : Optional.empty();
        }
        return Optional.empty();
    }

    private Optional<String> hostOf(SNIServerName name) {
        if (name.getType() != HOST_NAME) {
            return Optional.empty();
        }
        try {
            String host = new SNIHostName(name.getEncoded()).getAsciiName().toLowerCase(Locale.ROOT);
            return Optional.of(host).filter(hosts::contains);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private Authority.Leaf leaf(String host) {
        return leaves.compute(
                host,
                (name, before) -> before != null && isFresh(before.certificate()) ? before : authority.leaf(name));
    }

    private static boolean isFresh(X509Certificate certificate) {
        Instant end = certificate.getNotAfter().toInstant();
        return Instant.now().isBefore(end.minus(Authority.LEAF.dividedBy(2)));
    }

    @Override
    public @Nullable String chooseServerAlias(String kind, Principal @Nullable [] issuers, Socket socket) {
        return kind.equals(KIND) && socket instanceof SSLSocket tls
                ? asked(tls.getHandshakeSession()).orElse(null)
                : null;
    }

    @Override
    public @Nullable String chooseEngineServerAlias(String kind, Principal @Nullable [] issuers, SSLEngine engine) {
        return kind.equals(KIND) ? asked(engine.getHandshakeSession()).orElse(null) : null;
    }

    @Override
    public X509Certificate[] getCertificateChain(String host) {
        return new X509Certificate[] {leaf(host).certificate(), authority.certificate()};
    }

    @Override
    public PrivateKey getPrivateKey(String host) {
        return leaf(host).key();
    }

    @Override
    public String[] getServerAliases(String kind, Principal @Nullable [] issuers) {
        return hosts.toArray(String[]::new);
    }

    @Override
    public String[] getClientAliases(String kind, Principal @Nullable [] issuers) {
        return new String[0];
    }

    @Override
    public @Nullable String chooseClientAlias(String[] kinds, Principal @Nullable [] issuers, Socket socket) {
        return null;
    }
}
