#include <sys/stat.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/key_file.h"
#include "main/diagnose.h"
#include "main/init.h"
#include "openvpn/analysis.h"
#include "openvpn/log_archive.h"

/// uplinktool: what an operator runs by hand. Results go to standard output, reasons to standard error; the
/// exit code is 0, or 2 where there is an error in the command line or in what it was given; `diagnose` has
/// more.
namespace {

using ue::Result;

constexpr int kOk = 0;
constexpr int kBad = 2;

int fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return kBad;
}

int print(const std::string& text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return written ? kOk : fail("uplinktool: standard output takes no more (disk full, or a closed pipe)");
}

/// A shell makes redirected files readable for all, and the programs then refuse the key: say so while it is
/// fresh.
void warn_of_public_output() {
  struct stat st {};
  if (::fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0) {
    std::fprintf(stderr, "uplinktool: others can read the file this key goes to; remedy: chmod 600 on it\n");
  }
}

int keygen(bool master, const std::string& master_file) {
  std::string text;
  if (master_file.empty()) {
    text = ue::config::generate_key_file(master);
  } else {
    const auto keys = ue::config::load_key_file(master_file);
    if (!keys) return fail(keys.error());
    const ue::config::Key* first = nullptr;
    for (const auto& key : *keys) {
      if (key.master && first == nullptr) first = &key;
    }
    if (first == nullptr) {
      return fail(master_file + ": no master key in this file; make one with 'uplinktool keygen --master'");
    }
    text = ue::config::generate_gateway_key_file(*first);
  }
  const int code = print(text);
  if (code == kOk) warn_of_public_output();
  return code;
}

template <typename T>
int report(const std::string& file, const Result<T>& result) {
  return result ? print(file + ": ok\n") : fail(result.error());
}

/// One log in as many files as rotation made of it, oldest first.
int analyze(const std::vector<std::string>& files, const std::string& role, bool json) {
  using ue::openvpn::Role;
  ue::openvpn::Analysis analysis(role == "client"   ? Role::client
                                 : role == "server" ? Role::server
                                                    : Role::unknown);
  for (const auto& file : files) {
    const auto read =
        ue::openvpn::read_log_archive(file, [&](std::string_view text) { analysis.feed(text); });
    if (!read) return fail(read.error());
  }
  return print(json ? analysis.json() : analysis.text());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "For the terminal, beside uplink_exporter and uplink_reflector: says what is wrong with this machine's "
      "uplinks\nor with an OpenVPN tunnel, writes and checks configurations, makes keys."};
  app.name("uplinktool");
  app.set_version_flag("--version", "uplinktool " UPLINK_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  uplinktool diagnose                                    what is wrong with this machine's uplinks?\n"
      "  uplinktool diagnose --config.file /etc/uplink_exporter/agent.yml\n"
      "  uplinktool init > agent.yml                            a configuration for this machine\n"
      "  (umask 077; uplinktool keygen > cloud.key)             one key, the same file on both sides\n"
      "  (umask 077; uplinktool keygen --master > master.key)   one key for many gateways, on the reflector\n"
      "  (umask 077; uplinktool keygen --for master.key > gw1.key)\n"
      "  uplinktool check config /etc/uplink_exporter/agent.yml\n"
      "  uplinktool check config --reflector /etc/uplink_reflector/reflector.yml\n"
      "  uplinktool openvpn analyze client.log.1.gz client.log\n"
      "`uplinktool COMMAND --help` says more of each. Exit code: 0, or 2 with the reason on standard error;\n"
      "diagnose has more.");

  bool master = false;
  std::string master_file;
  auto* keygen_command = app.add_subcommand("keygen", "Print a new key file.");
  keygen_command->footer(
      "An agent and a reflector that share a key authenticate each other, and only then are delayed replies "
      "and\n"
      "questions about a gateway's packets answered. Without options this prints one gateway key: put the "
      "same file\n"
      "on both sides as key_file. With many gateways, give the reflector a --master key and every gateway a "
      "key\n"
      "--for it; the reflector then needs no step per gateway. Key files must be private: chmod 600.\n\n"
      "Examples:\n"
      "  (umask 077; uplinktool keygen > cloud.key)\n"
      "  (umask 077; uplinktool keygen --master > master.key)\n"
      "  (umask 077; uplinktool keygen --for master.key > gateway1.key)");
  auto* master_flag = keygen_command->add_flag("--master", master, "A master key, for the reflector only");
  keygen_command
      ->add_option("--for", master_file, "A key for one more gateway of the first master in this file")
      ->type_name("MASTER_FILE")
      ->excludes(master_flag);

  bool reflector = false;
  std::string config_file;
  auto* check = app.add_subcommand("check", "Check a file before a program reads it.");
  check->require_subcommand(1);
  check->footer("`uplinktool check config --help` says more.");
  auto* check_config =
      check->add_subcommand("config", "Check a configuration and print \"FILE: ok\" or the first error.");
  check_config->footer(
      "Errors read FILE:LINE:COLUMN: KEY: what was expected. Only the file itself is looked at: interfaces, "
      "hosts and\n"
      "key files that it names may be missing on this machine.\n\n"
      "Examples:\n"
      "  uplinktool check config /etc/uplink_exporter/agent.yml\n"
      "  uplinktool check config --reflector /etc/uplink_reflector/reflector.yml");
  check_config->add_option("FILE", config_file, "Configuration of uplink_exporter")
      ->type_name(" ")
      ->required();
  check_config->add_flag("--reflector", reflector, "It is one of uplink_reflector");

  bool json = false;
  std::string role;
  std::vector<std::string> logs;
  auto* openvpn = app.add_subcommand("openvpn", "Look at what OpenVPN wrote.");
  openvpn->require_subcommand(1);
  openvpn->footer("`uplinktool openvpn analyze --help` says more.");
  auto* analyze_command = openvpn->add_subcommand(
      "analyze", "Say what happened in a log: reconnects by reason, and the diagnosis with why.");
  analyze_command->footer(
      "Any log of OpenVPN 2.3 to 2.7, of a client or a server, also gzipped; the parts of a rotated log "
      "oldest\n"
      "first. Only reconnects that the log shows are counted; a diagnosis that it does not support is "
      "\"unknown\".\n"
      "A log at `verb 3` tells most; at 1 neither keepalives nor soft resets are in it.\n\n"
      "Examples:\n"
      "  uplinktool openvpn analyze /var/log/openvpn/client.log.1.gz /var/log/openvpn/client.log\n"
      "  journalctl -o short-iso -u openvpn-client@cloud | uplinktool openvpn analyze --json -");
  analyze_command->add_flag("--json", json, "Print JSON");
  analyze_command->add_option("--role", role, "Whose log it is, where it does not say so itself")
      ->type_name("WHOSE")
      ->check(CLI::IsMember({"client", "server"}));
  analyze_command->add_option("FILE", logs, "Log files, oldest first; - is standard input")
      ->type_name(" ")
      ->required();

  std::string openvpn_directory = "/etc/openvpn";
  std::string reflector_address;
  auto* init_command =
      app.add_subcommand("init", "Look at this machine and print a commented configuration for it.");
  init_command->footer(
      "Uplinks come from the kernel's default routes, tunnels from OpenVPN's *.conf files and its units. A "
      "spare line\n"
      "often has no default route: what may be one is offered behind a #, with its gateway where a route "
      "names it.\n"
      "Nothing is changed: send the output to a file, and check what you change there.\n\n"
      "Examples:\n"
      "  uplinktool init > /etc/uplink_exporter/agent.yml\n"
      "  uplinktool init --reflector vpn.example.net:40862 > /etc/uplink_exporter/agent.yml\n"
      "  uplinktool check config /etc/uplink_exporter/agent.yml");
  init_command
      ->add_option("--reflector", reflector_address,
                   "Where uplink_reflector runs, if you have one; its key belongs\n"
                   "into /etc/uplink_exporter/cloud.key")
      ->type_name("HOST:PORT");
  init_command->add_option("--openvpn", openvpn_directory, "Where OpenVPN's configurations are")
      ->type_name("DIRECTORY")
      ->capture_default_str();

  ue::tool::DiagnoseOptions options;
  int seconds = static_cast<int>(options.duration / std::chrono::seconds(1));
  auto* diagnose_command = app.add_subcommand(
      "diagnose", "Measure every uplink for a minute, and say what is wrong and whose it is.");
  diagnose_command->footer(ue::tool::diagnose_footer());
  diagnose_command
      ->add_option("--config.file", options.config_file,
                   "That of uplink_exporter; left out: find the uplinks, ask public servers")
      ->type_name("FILE");
  diagnose_command
      ->add_option("--duration", seconds,
                   "How long to measure, 10 to 3600; up to half as long again to confirm a suspicion")
      ->type_name("SECONDS")
      ->check(CLI::Range(10, 3600))
      ->capture_default_str();
  diagnose_command->add_flag("--json", options.json, "Print JSON");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kOk : kBad;
  }
  options.duration = std::chrono::seconds(seconds);
  if (*init_command) return ue::tool::init(openvpn_directory, reflector_address);
  if (*diagnose_command) return ue::tool::diagnose(options);
  if (*analyze_command) return analyze(logs, role, json);
  if (*keygen_command) return keygen(master, master_file);
  return reflector ? report(config_file, ue::config::load_reflector_config(config_file))
                   : report(config_file, ue::config::load_config(config_file));
}
