#include "probe/loss_alarm.h"

#include <algorithm>
#include <cmath>

namespace ue::probe {

LossAlarm::LossAlarm(double threshold) {
  const double low = threshold / 2;
  const double high = std::min(threshold * 2, 0.99);
  gain_ = std::log(high / low);
  cost_ = std::log((1 - low) / (1 - high));
}

}  // namespace ue::probe
