package io.holdfast.broker.access;

import io.netty.util.NetUtil;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Refuses what a web page in somebody's browser makes that browser ask of the broker, and /debug to
 * whom it is not open. Asked once for each request, before its route is acted on.
 *
 * <ul>
 *   <li><b>Host</b> (all methods): an IP address, {@code localhost} or a name the broker is known
 *       by. A page whose own name was made to point here (DNS rebinding) shows that name. /ping and
 *       /health are open under any name: health checkers send what they like, and they change
 *       nothing.
 *   <li><b>Origin, Sec-Fetch-Site</b> (what can change something): those of the broker itself, or
 *       none, as all clients but browsers have it.
 *   <li><b>/debug</b>: from this machine, unless it is open to all.
 * </ul>
 *
 * Immutable.
 */
public final class RequestGuard {
  /** Refuses nothing. */
  public static final RequestGuard NONE = new RequestGuard(List.of("*"), true);

  private static final String ANY = "*";
  private static final String BELOW = "*.";

  private final Set<String> names = new HashSet<>();
  private final boolean isDebugOpen;

  /**
   * @param names under which the broker may be asked, beside addresses and {@code localhost};
   *     {@code *.x} for all names below x, {@code *} for any
   * @param isDebugOpen whether /debug answers others than this machine
   */
  public RequestGuard(Collection<String> names, boolean isDebugOpen) {
    names.forEach(name -> this.names.add(canonical(name)));
    this.names.add("localhost");
    this.isDebugOpen = isDebugOpen;
  }

  /** Returns why the request is refused, for the log; null when it may go on. */
  public String refusalOrNull(HttpAsk ask) {
    boolean isHealth = ask.path().equals("/ping") || ask.path().startsWith("/health/");
    if (!isHealth && ask.isTcp()) {
      for (String host : ask.hosts()) {
        if (!isOurs(nameOf(host))) {
          return "Host " + host + " is none of this broker's (http-allowed-hosts)";
        }
      }
    }
    if (ask.isChange()) {
      String foreign = foreignOrNull(ask);
      if (foreign != null) {
        return foreign;
      }
    }
    boolean isDebug = ask.path().regionMatches(true, 0, "/debug", 0, "/debug".length());
    if (isDebug && !isDebugOpen && !ask.isLocal()) {
      return "/debug is for this machine only (debug-endpoints)";
    }
    return null;
  }

  private static String foreignOrNull(HttpAsk ask) {
    for (String site : ask.fetchSites()) {
      String value = site.strip().toLowerCase(Locale.ROOT);
      if (value.equals("cross-site") || value.equals("same-site")) {
        return "Sec-Fetch-Site is " + value;
      }
    }
    for (String origin : ask.origins()) {
      boolean isOwn =
          ask.hosts().stream()
              .anyMatch(host -> own(ask.scheme(), host).equals(own(ask.scheme(), origin)));
      if (!isOwn) {
        return "Origin " + origin + " is another one than the broker's";
      }
    }
    return null;
  }

  /** An origin, or the one that a Host header stands for: with scheme and port, always. */
  private static String own(String scheme, String hostOrOrigin) {
    String text = hostOrOrigin.strip().toLowerCase(Locale.ROOT);
    int slashes = text.indexOf("://");
    String ofScheme = slashes < 0 ? scheme : text.substring(0, slashes);
    String authority = slashes < 0 ? text : text.substring(slashes + "://".length());
    String port = portOf(authority);
    if (port.isEmpty()) {
      port = ofScheme.equals("https") ? "443" : "80";
    }
    return ofScheme + "://" + nameOf(authority) + ":" + port;
  }

  private boolean isOurs(String name) {
    if (name.isEmpty() || names.contains(name) || names.contains(ANY) || isAddress(name)) {
      return true;
    }
    for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      if (names.contains(BELOW + name.substring(dot + 1))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isAddress(String name) {
    return (name.startsWith("[") && name.endsWith("]"))
        ? NetUtil.isValidIpV6Address(name.substring(1, name.length() - 1))
        : NetUtil.isValidIpV4Address(name);
  }

  /** The host of {@code host:port}, {@code [v6]:port} or either without a port. */
  private static String nameOf(String authority) {
    String text = authority.strip();
    return canonical(text.substring(0, text.length() - portSuffix(text)));
  }

  private static String portOf(String authority) {
    String text = authority.strip();
    int suffix = portSuffix(text);
    return suffix == 0 ? "" : text.substring(text.length() - suffix + 1);
  }

  /** Length of the colon and the digits behind it, 0 without. */
  private static int portSuffix(String text) {
    int colon = text.lastIndexOf(':');
    boolean isPort =
        colon >= 0
            && text.indexOf(']', colon) < 0
            && text.chars().skip(colon + 1L).allMatch(c -> c >= '0' && c <= '9');
    return isPort ? text.length() - colon : 0;
  }

  /** Names know no case, and may end in the dot of the root. */
  private static String canonical(String name) {
    String lower = name.strip().toLowerCase(Locale.ROOT);
    return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
  }
}
