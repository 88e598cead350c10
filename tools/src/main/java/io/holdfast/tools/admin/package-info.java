/** The {@code admin} command: all of a broker's HTTP API, for people and scripts. */
package io.holdfast.tools.admin;
