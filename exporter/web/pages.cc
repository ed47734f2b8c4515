#include "web/pages.h"

#include "metrics/render.h"
#include "metrics/text.h"
#include "web/status_json.h"
#include "web/status_page.h"

namespace ue::web {
namespace {

template <typename T, typename Page, typename Ready>
Site make_site(const metrics::SnapshotBox<T>& box, std::string program, std::string telemetry_path,
               Reload reload, Page page, Ready is_ready) {
  Site site;
  site.program = program;
  site.telemetry_path = telemetry_path;
  site.metrics = [&box, program]() -> Result<std::string> {
    const auto snapshot = box.newest();
    if (!snapshot) return Error{program + " is starting: nothing has been measured yet"};
    return metrics::to_text(metrics::render(*snapshot));
  };
  site.index = [&box, program, telemetry_path, page] {
    const auto snapshot = box.newest();
    return snapshot ? page(*snapshot, telemetry_path) : starting_page(program, telemetry_path);
  };
  site.status = [&box, program]() -> Result<std::string> {
    const auto snapshot = box.newest();
    if (!snapshot) return Error{program + " is starting: nothing has been measured yet"};
    return status_json(*snapshot);
  };
  site.config = [&box, program]() -> Result<std::string> {
    const auto snapshot = box.newest();
    if (!snapshot || !snapshot->config)
      return Error{program + " is starting: no configuration is in force yet"};
    return *snapshot->config;
  };
  site.ready = [&box, is_ready] {
    const auto snapshot = box.newest();
    return snapshot && is_ready(*snapshot);
  };
  site.reload = std::move(reload);
  return site;
}

}  // namespace

Site agent_site(const metrics::SnapshotBox<metrics::Snapshot>& box, std::string telemetry_path,
                Reload reload) {
  return make_site(box, "uplink_exporter", std::move(telemetry_path), std::move(reload), status_page,
                   [](const metrics::Snapshot& s) { return s.ready; });
}

Site reflector_site(const metrics::SnapshotBox<metrics::ReflectorSnapshot>& box, std::string telemetry_path,
                    Reload reload) {
  return make_site(box, "uplink_reflector", std::move(telemetry_path), std::move(reload), reflector_page,
                   [](const metrics::ReflectorSnapshot&) { return true; });
}

}  // namespace ue::web
