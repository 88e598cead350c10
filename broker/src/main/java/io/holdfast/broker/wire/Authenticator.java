package io.holdfast.broker.wire;

import io.holdfast.broker.auth.AuthSession;
import io.holdfast.broker.auth.AuthSession.Verdict;
import io.holdfast.broker.auth.AuthState;
import io.holdfast.broker.auth.Authority;
import io.holdfast.broker.auth.Permission;
import io.holdfast.broker.queue.Names;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;

/**
 * AUTH and the checks that follow from it (contract §1.7), for one connection.
 *
 * <p>Owned by the connection's event loop.
 */
final class Authenticator {
  private static final String E_UNAUTHORIZED = "E_UNAUTHORIZED";

  private final ClientV2 client;
  private final Async async;

  /** Null when AUTH is disabled. */
  private final AuthSession session;

  private String commonName = "";

  /** Topic and channel; null before a SUB that was allowed. */
  private String[] subscription;

  /**
   * @param auth null when AUTH is disabled
   */
  Authenticator(Authority auth, ClientV2 client, Async async) {
    this.client = client;
    this.async = async;
    session = auth == null ? null : auth.newSession();
  }

  boolean isEnabled() {
    return session != null;
  }

  /** The name in the client's certificate. */
  void commonName(String name) {
    commonName = name;
  }

  /** The AUTH command. */
  void auth(byte[] secret) throws ClientException {
    if (session == null) {
      throw ClientException.fatal("E_AUTH_DISABLED", "AUTH disabled");
    }
    if (session.state() != null) {
      throw ClientException.fatal("E_INVALID", "AUTH already set");
    }
    if (!client.memory().tryTake(secret.length)) {
      throw ClientException.fatal("E_AUTH_FAILED", "AUTH failed memory of connections is used up");
    }
    async.await(
        session.authenticate(secret, client.remoteIp(), client.security().tls(), commonName),
        this::authenticated);
  }

  private void authenticated(AuthState state, Throwable failure) throws ClientException {
    if (failure != null) {
      throw ClientException.fatal("E_AUTH_FAILED", "AUTH failed");
    }
    if (state.permissionCount() == 0) {
      throw ClientException.fatal(E_UNAUTHORIZED, "AUTH no authorizations found");
    }
    if (!client.memory().tryTake(state.heapBytes())) {
      throw ClientException.fatal("E_AUTH_FAILED", "AUTH failed memory of connections is used up");
    }
    client.setSecurity(client.security().identified(state.identity(), state.identityUrl()));
    String reply =
        "{\"identity\":"
            + JsonStrings.quote(state.identity())
            + ",\"identity_url\":"
            + JsonStrings.quote(state.identityUrl())
            + ",\"permission_count\":"
            + state.permissionCount()
            + "}";
    client.output().response(reply.getBytes(StandardCharsets.UTF_8));
  }

  /** Runs the rest of a command if it is allowed; at once when AUTH is disabled. */
  void check(String command, String topic, String channel, Permission permission, Async.Step then)
      throws ClientException {
    if (session == null) {
      then.run();
      return;
    }
    async.await(
        session.check(topic, channel, permission),
        (verdict, failure) -> {
          require(verdict, command, topic, channel);
          if (permission == Permission.SUBSCRIBE) {
            subscription = new String[] {topic, channel};
          }
          then.run();
        });
  }

  /** Whether {@link #recheck} would look. */
  boolean isRecheckDue() {
    return subscription != null && session.isRecheckDue();
  }

  /** Ends the subscription of a user who is gone from the users file, or may less by it now. */
  void recheck(String command) throws ClientException {
    if (isRecheckDue()) {
      require(
          session.recheck(subscription[0], subscription[1]),
          command,
          subscription[0],
          subscription[1]);
    }
  }

  /** Whether it is allowed; never fails. */
  CompletableFuture<Verdict> verdict(String topic, String channel, Permission permission) {
    return session.check(topic, channel, permission);
  }

  /** Answers a verdict that is not good. */
  void require(Verdict verdict, String command, String topic, String channel)
      throws ClientException {
    switch (verdict) {
      case ALLOWED -> {
        // Goes on.
      }
      case AUTH_FIRST ->
          throw ClientException.fatal("E_AUTH_FIRST", "AUTH required before " + command);
      case AUTH_FAILED -> throw ClientException.fatal("E_AUTH_FAILED", "AUTH failed");
      case UNAUTHORIZED ->
          throw ClientException.fatal(
              E_UNAUTHORIZED,
              String.format(
                  Locale.ROOT,
                  "AUTH failed for %s on %s %s",
                  command,
                  Names.quote(topic),
                  Names.quote(channel)));
    }
  }
}
