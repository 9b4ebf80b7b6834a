<?php

/*
 * Stands in for Splynx's official add-on base: the few classes that an add-on's installer meets (facts/splynx 3.2).
 * What it would register goes to `registered.json` in the folder of this Splynx, one installation a line.
 */

namespace splynx\base;

abstract class BaseInstallController
{
    public const MODULE_STATUS_ENABLED = 'enabled';
    public const MODULE_STATUS_DISABLED = 'disabled';

    public $module_status = self::MODULE_STATUS_DISABLED;
    public static $minimumSplynxVersion = '1.0';

    abstract public function getAddOnTitle();

    abstract public function getModuleName();

    public function getApiPermissions()
    {
        return [];
    }

    public function getEntryPoints()
    {
        return [];
    }

    public function actionIndex()
    {
        self::must(strlen($this->getAddOnTitle()) <= 64, 'the title fits into its column');
        self::must(strlen($this->getModuleName()) <= 32, 'the name fits into its column');
        $known = ['name', 'title', 'place', 'type', 'root', 'model', 'icon', 'background', 'url', 'code', 'size', 'location', 'enabled'];
        foreach ($this->getEntryPoints() as $point) {
            self::must(array_diff(array_keys($point), $known) === [], 'an entry point has known fields only');
            self::must(in_array($point['place'], ['portal', 'admin'], true), 'an entry point has a place');
            self::must(in_array($point['type'], ['menu_link', 'code', 'action_link', 'tab'], true), 'an entry point has a type');
        }
        return [
            'title' => $this->getAddOnTitle(),
            'module' => $this->getModuleName(),
            'status' => $this->module_status,
            'minimum_version' => static::$minimumSplynxVersion,
            'permissions' => $this->getApiPermissions(),
            'entry_points' => $this->getEntryPoints(),
        ];
    }

    private static function must(bool $holds, string $what): void
    {
        if (!$holds) {
            throw new \DomainException($what);
        }
    }
}

class ConsoleApplication
{
    private string $folder;

    public function __construct(string $folder, string $configPath)
    {
        $this->folder = $folder;
        $params = require $folder . '/config/params.php';
        $config = (require $configPath)($params, $folder);
        if (!is_array($params) || !is_array($config)) {
            throw new \DomainException('parameters and configuration are arrays');
        }
    }

    public function run(): int
    {
        if (($_SERVER['argv'][1] ?? '') !== 'install/index') {
            fwrite(STDERR, "Unknown command\n");
            return 1;
        }
        require $this->folder . '/commands/InstallController.php';
        $schema = json_decode(file_get_contents($this->folder . '/config/config.json'), true, 16, JSON_THROW_ON_ERROR);
        $registered = (new \app\commands\InstallController())->actionIndex() + ['settings' => $schema];
        $line = json_encode($registered, JSON_THROW_ON_ERROR) . "\n";
        file_put_contents(dirname($this->folder, 2) . '/registered.json', $line, FILE_APPEND);
        return 0;
    }
}
