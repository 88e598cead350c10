package io.holdfast.broker;

import io.holdfast.broker.access.HttpAccess;
import io.holdfast.broker.access.PasswordCheck;
import io.holdfast.broker.access.Role;
import io.holdfast.broker.access.Users;
import io.holdfast.broker.access.UsersFile;
import io.holdfast.broker.auth.AuthClient;
import io.holdfast.broker.auth.AuthOptions;
import io.holdfast.broker.auth.Authority;
import io.holdfast.broker.auth.Authorizations;
import io.holdfast.broker.auth.UsersAuthority;
import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.TlsRequired;
import io.holdfast.broker.net.HttpJsonClient;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who may do what: the users of HTTP and of AUTH, from files that are watched, and the auth
 * servers. Opened and closed by the server.
 */
final class Accounts implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(Accounts.class);
  private static final long FILE_WATCH_MS = 1000;

  private final Options options;

  /** null without http-users-file. */
  private final UsersFile<Role> httpUsers;

  /** null without auth-users-file. */
  private final UsersFile<Authorizations> authUsers;

  private final PasswordCheck authPasswords = new PasswordCheck(System::nanoTime);
  private final HttpAccess access;

  /** Looks every second whether files that people edit have changed. */
  private final ScheduledExecutorService fileWatch =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "file-watch");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * Reads the users files.
   *
   * @throws IOException in one line for the user
   */
  Accounts(Options options) throws IOException {
    this.options = options;
    httpUsers = users(options.httpUsersFile(), Role::ofUser);
    authUsers = users(options.authUsersFile(), Authorizations::parse);
    access =
        new HttpAccess(
            httpUsers == null ? null : httpUsers::users,
            Role.valueOf(options.httpAnonymousRole().name()),
            System::nanoTime);
  }

  private static <T> UsersFile<T> users(Optional<Path> file, Users.RightsParser<T> rights)
      throws IOException {
    return file.isEmpty() ? null : new UsersFile<>(file.get(), rights);
  }

  /** Who may do what over HTTP. */
  HttpAccess access() {
    return access;
  }

  /**
   * Whom AUTH asks, null for nobody.
   *
   * @param httpClient asks the auth servers
   */
  Authority authority(HttpJsonClient httpClient) {
    Authority servers =
        options.authHttpAddresses().isEmpty()
            ? null
            : new AuthClient(
                new AuthOptions(
                    options.authHttpAddresses(), options.authHttpRequestMethod().equals("post")),
                httpClient,
                System::nanoTime);
    return authUsers == null
        ? servers
        : new UsersAuthority(authUsers::users, authPasswords, servers, System::nanoTime);
  }

  /** From now on takes over what changes in the files, and again when all is reloaded. */
  void watch(Reload reload) {
    Stream.of(httpUsers, authUsers)
        .filter(Objects::nonNull)
        .forEach(
            users -> {
              reload.add(users);
              fileWatch.scheduleWithFixedDelay(
                  () -> reload.check(users), FILE_WATCH_MS, FILE_WATCH_MS, TimeUnit.MILLISECONDS);
            });
  }

  /**
   * Logs it when whoever reaches the HTTP port may do everything.
   *
   * @param isTlsOpen whether HTTPS is served, if it is configured
   */
  void sayWhoMay(boolean isTlsOpen) {
    boolean isPlainOpen = options.tlsRequired() != TlsRequired.TRUE;
    boolean isBeyondLoopback =
        Stream.of(
                isPlainOpen ? options.httpAddress() : Optional.<ListenAddress>empty(),
                isTlsOpen ? options.httpsAddress() : Optional.<ListenAddress>empty())
            .flatMap(Optional::stream)
            .anyMatch(address -> !address.isLoopback());
    if (access.isOpen() && isBeyondLoopback) {
      LOG.info(
          "HTTP: whoever reaches the port may do everything (http-anonymous-role is admin, as in"
              + " nsqd)");
    }
  }

  @Override
  public void close() {
    fileWatch.shutdownNow();
    access.close();
    authPasswords.close();
  }
}
