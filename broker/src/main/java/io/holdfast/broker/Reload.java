package io.holdfast.broker;

import io.holdfast.broker.access.UsersFile;
import io.holdfast.broker.config.LogLevel;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.Parsed;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.history.Audit;
import io.holdfast.broker.policy.BadPolicyException;
import io.holdfast.broker.tls.TlsContexts;
import io.holdfast.broker.tls.TlsException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes over, when the broker is told to (SIGHUP), what can change without a restart: log level,
 * nsqlookupds, policies, what TLS files and users files hold. All of it, or with a fault nothing.
 * Thread-safe.
 */
final class Reload {
  private static final Logger LOG = LoggerFactory.getLogger(Reload.class);
  private static final String LOG_LEVEL = "log_level";
  private static final String LOOKUPDS = "nsqlookupd_tcp_addresses";
  private static final Set<String> TAKEN_OVER = Set.of(LOG_LEVEL, LOOKUPDS);

  private final Options started;
  private final Broker broker;
  private final Audit audit;

  /** What can be read again, beside the configuration. */
  private final List<Source> sources = new ArrayList<>();

  /** Files that are read again. */
  private abstract static class Source {
    private final String name;
    private long seen;

    Source(String name) {
      this.name = name;
    }

    /** Fails in one line when they cannot be used; changes nothing. */
    abstract void verify() throws IOException;

    /** Takes them over if they changed; returns how often that happened so far. */
    abstract long takeOver();

    /** Whether they changed since the last time, whoever noticed it first. */
    boolean hasChanged() {
      long now = takeOver();
      boolean hasChanged = now != seen;
      seen = now;
      return hasChanged;
    }
  }

  /**
   * @param started the options that the broker was started with
   */
  Reload(Options started, Broker broker, Audit audit) {
    this.started = started;
    this.broker = broker;
    this.audit = audit;
  }

  /** Certificate, key and authorities count, too. */
  void add(TlsContexts tls) {
    sources.add(
        new Source("TLS files") {
          @Override
          void verify() throws IOException {
            try {
              tls.verify();
            } catch (TlsException e) {
              throw new IOException(e.getMessage(), e);
            }
          }

          @Override
          long takeOver() {
            tls.check();
            return tls.loads();
          }
        });
  }

  /** A users file counts, too. */
  void add(UsersFile<?> users) {
    sources.add(
        new Source("users file " + users.file()) {
          @Override
          void verify() throws IOException {
            users.verify();
          }

          @Override
          long takeOver() {
            check(users);
            return users.reads();
          }
        });
  }

  /** Reads a users file again if it changed, and says so in the audit trail. */
  void check(UsersFile<?> users) {
    if (users.check()) {
      audit.ok(Audit.Change.of("", "", "users.reload"));
    }
  }

  /** Takes over what the arguments and the file they name say now. */
  synchronized void apply(Parsed parsed) {
    Audit.Change change = Audit.Change.of("", "", "config.reload");
    Options fresh;
    try {
      fresh = verified(parsed);
    } catch (IOException e) {
      LOG.error("reload: nothing is changed: {}", e.getMessage());
      audit.failed(change, e.getMessage());
      return;
    }
    for (String key : started.differing(fresh)) {
      if (!TAKEN_OVER.contains(key)) {
        LOG.warn("reload: {} is {} now: needs a restart", key, fresh.text(key));
      }
    }
    takeOver(fresh);
    audit.ok(change);
  }

  private Options verified(Parsed parsed) throws IOException {
    if (!(parsed instanceof Parsed.Run run)) {
      String reason = parsed instanceof Parsed.Fail fail ? fail.reason() : "nothing to run";
      throw new IOException(reason);
    }
    for (Source source : sources) {
      source.verify();
    }
    try {
      broker.policies().verify(run.options().policies());
    } catch (BadPolicyException e) {
      throw new IOException(e.getMessage(), e);
    }
    return run.options();
  }

  private void takeOver(Options fresh) {
    Options now = broker.options();
    List<String> changed = new ArrayList<>();
    for (String key : now.differing(fresh)) {
      if (TAKEN_OVER.contains(key)) {
        changed.add(key + " from " + now.text(key) + " to " + fresh.text(key));
      }
    }
    if (!now.lookupdTcpAddresses().equals(fresh.lookupdTcpAddresses())) {
      broker.setLookupdTcpAddresses(fresh.lookupdTcpAddresses());
    }
    for (Source source : sources) {
      if (source.hasChanged()) {
        changed.add(source.name);
      }
    }
    if (broker.replacePolicies(fresh.policies())) {
      changed.add("policies");
    }
    LogLevel level = fresh.logLevel();
    boolean isMoreTold = level.compareTo(now.logLevel()) < 0;
    if (isMoreTold) {
      broker.setLogLevel(level.text());
    }
    LOG.info("reload: {}", changed.isEmpty() ? "nothing changed" : String.join(", ", changed));
    if (!isMoreTold) {
      broker.setLogLevel(level.text());
    }
    broker.reloaded(fresh);
  }
}
