package io.holdfast.broker.http;

import io.holdfast.broker.access.HttpAccess;
import io.holdfast.broker.access.Role;

/**
 * Who asks for something, and may.
 *
 * @param user {@link HttpAccess#ANONYMOUS} for who did not say
 * @param role as in {@link Role#text}
 * @param remote {@code host:port}
 * @param node of the cluster where it was asked; null for this one
 */
record Caller(String user, String role, String remote, String node) {
  /** Somebody who asked here. */
  static Caller here(String user, Role role, ApiRequest request) {
    return new Caller(user, role.text(), request.peer().text(), null);
  }
}
